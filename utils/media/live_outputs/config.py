"""Which live outputs to open."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from utils.errors import ConfigError
from utils.media.live_outputs.messages import StreamDescription
from utils.media.live_outputs.outputs import LiveOutput, LiveOutputs


@dataclass(frozen=True, kw_only=True)
class LiveOutputConfig:
    """Which programs receive results while they are made.

    Attributes:
        webhook: URL that results are posted to; None posts none.
        webhook_interval: Least seconds between two POSTs.
        broadcast: Port of the WebSocket server on this computer; None starts none.
        lsl: Name of the Lab Streaming Layer stream; None opens none.
    """

    webhook: str | None = None
    webhook_interval: float = 0.0
    broadcast: int | None = None
    lsl: str | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is out of range.
        """
        if not 0 <= self.webhook_interval <= 3600:
            raise ConfigError(
                f"the webhook's interval must be 0 to 3600 seconds, not {self.webhook_interval}"
            )
        if self.broadcast is not None and not 1 <= self.broadcast <= 65535:
            raise ConfigError(f"the broadcast's port must be 1 to 65535, not {self.broadcast}")

    @property
    def names(self) -> tuple[str, ...]:
        """What each output is, for people: ``webhook``, ``WebSocket on port 8765``."""
        names = {
            f"Lab Streaming Layer ({self.lsl})": self.lsl,
            f"WebSocket on port {self.broadcast}": self.broadcast,
            "webhook": self.webhook,
        }
        return tuple(name for name, value in names.items() if value is not None)

    def open(self, stream: StreamDescription, *, report: Callable[[str], None]) -> LiveOutputs:
        """Open the outputs.

        Args:
            stream: What the results mean.
            report: Receives what goes wrong later, as a sentence; called in any thread.

        Raises:
            ConfigError: The URL or the name can't be used.
            MissingExtraError: A package is not installed.
            OutputError: The port can't be listened on, or LSL can't be used on this computer.
        """
        outputs: list[LiveOutput] = []
        try:
            for output in self._outputs(stream, report):
                outputs.append(output)
        except BaseException:
            for output in outputs:
                output.close()
            raise
        return LiveOutputs(outputs, stream, report=report)

    def _outputs(
        self, stream: StreamDescription, report: Callable[[str], None]
    ) -> Iterator[LiveOutput]:
        # Imported here: each needs packages that the others do without.
        if self.lsl is not None:
            from utils.media.live_outputs.lsl import LslOutlets

            yield LslOutlets(self.lsl, stream)
        if self.broadcast is not None:
            from utils.media.live_outputs.broadcast import Broadcast

            yield Broadcast(self.broadcast)
        if self.webhook is not None:
            from utils.media.live_outputs.webhook import Webhook

            yield Webhook(self.webhook, interval=self.webhook_interval, report=report)
