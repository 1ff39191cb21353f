"""What the validated types of files and settings share."""

from typing import Annotated

from pydantic import Field, ValidationError

# Neither text nor a truth value counts as a number.
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]

_SHOWN = 3


def explain_problems(error: ValidationError) -> str:
    """Return the first problems that pydantic found, each with the place and the reason."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    texts = [
        f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}".removeprefix(": ")
        for problem in problems[:_SHOWN]
    ]
    more = len(problems) - len(texts)
    return "; ".join(texts) + (f"; and {more} more" if more else "")
