"""What the two tools do, and the shape of their answer: the same for both libraries."""

from math import sqrt

from pydantic import BaseModel


class Summary(BaseModel):
    """A summary of numbers."""

    count: int
    sum: float
    mean: float
    min: float
    max: float
    sd: float


def summarise(values: list[float]) -> Summary:
    """The summary, with the sample standard deviation; values must not be empty."""
    count = len(values)
    total = sum(values)
    mean = total / count
    squares = sum((value - mean) * (value - mean) for value in values)
    sd = sqrt(squares / (count - 1)) if count > 1 else 0.0
    return Summary(count=count, sum=total, mean=mean, min=min(values), max=max(values), sd=sd)
