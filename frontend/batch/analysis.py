"""The analysis of many pictures, as a background job."""

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from streamlit.runtime.uploaded_file_manager import UploadedFile

from frontend.resources import Engine
from utils.errors import EmotionError
from utils.inference.batch import AnalyzedFrame, analyze_sources
from utils.jobs import Job
from utils.media.images import Image, load_image
from utils.media.sources import Kind, Source, find_sources, zip_sources
from utils.media.thumbnails import face_thumbnail
from utils.results import FrameResult, Outcome

MAX_THUMBNAILS = 1000


@dataclass
class Batch:
    """The results of a batch.

    Attributes:
        outcomes: One for each picture, in order; faces row by row.
        sources: Where each outcome came from.
        thumbnails: Each face as a ``data:`` URL, by index of the outcome and number of the face.
        stopped: Whether the user stopped the analysis before its end.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    thumbnails: dict[tuple[int, int], str] = field(default_factory=dict)
    stopped: bool = False

    def image(self, index: int) -> Image:
        """Read the picture of an outcome again.

        Raises:
            EmotionError: It can't be read any more.
        """
        source = self.sources[index]
        return load_image(source.read() if source.read else source.name, name=source.name)


def batch_work(
    engine: Engine, files: Sequence[UploadedFile], folders: Sequence[str]
) -> Callable[[Job[Batch]], Batch]:
    """Return the work of a job: analyse uploaded pictures and archives, and folders."""

    def work(job: Job[Batch]) -> Batch:
        batch = Batch()
        total = sum(1 for _ in _sources(files, folders))
        # One thread: another core is left for those who watch live video.
        for frame in analyze_sources(engine.images, _sources(files, folders), workers=0):
            _add(batch, frame)
            done = len(batch.outcomes)
            job.report(done / total, f"{done} of {total} pictures")
            if job.cancelled:
                batch.stopped = done < total
                break
        return batch

    return work


def _sources(files: Sequence[UploadedFile], folders: Sequence[str]) -> Iterator[Source]:
    for file in files:
        if file.name.lower().endswith(".zip"):
            try:
                yield from zip_sources(BytesIO(file.getvalue()), file.name)
            except EmotionError as error:
                yield Source(file.name, Kind.UNUSABLE, Path(file.name), error)
        else:
            yield Source(file.name, Kind.IMAGE, Path(file.name), read=file.getvalue)
    for source in find_sources(folders):
        if source.kind is not Kind.VIDEO:
            yield source


def _add(batch: Batch, frame: AnalyzedFrame) -> None:
    outcome = frame.outcome
    if isinstance(outcome, FrameResult):
        outcome = outcome.in_reading_order()
        for number, face in enumerate(outcome.faces, 1):
            if frame.image is not None and len(batch.thumbnails) < MAX_THUMBNAILS:
                jpeg = base64.b64encode(face_thumbnail(frame.image, face.box)).decode()
                url = f"data:image/jpeg;base64,{jpeg}"
                batch.thumbnails[len(batch.outcomes), number] = url
    batch.outcomes.append(outcome)
    batch.sources.append(frame.source)
