"""Times in words."""


def describe_seconds(seconds: float) -> str:
    """Return a time about as long, for people.

    >>> describe_seconds(0.2), describe_seconds(89), describe_seconds(400), describe_seconds(9000)
    ('1 s', '89 s', '7 min', '2.5 h')
    """
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
