"""A number and what it counts, in words: `1 exchange`, `2 exchanges`. Pure."""


def plural(count: int, noun: str) -> str:
    """The number with the noun, which takes an s unless there is just one."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
