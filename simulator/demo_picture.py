"""The glucose chart of the demo, drawn by plotext for a terminal. Pure."""

from collections.abc import Sequence
from datetime import datetime

import plotext

TARGET_MG_DL = (70, 180)
"""The consensus target range (Battelino et al., Diabetes Care 2019;42:1593)."""


def glucose_picture(readings: Sequence[tuple[datetime, int]], *, width: int = 96, height: int = 14) -> str:
    """Readings (pump wall clock, mg/dL) as dots, the target range as two lines; empty text for no readings."""
    if not readings:
        return ""
    start = readings[0][0]
    hours = [(moment - start).total_seconds() / 3600 for moment, _ in readings]
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plot_size(width, height)
    plotext.scatter(hours, [glucose for _, glucose in readings], marker="dot")
    for bound in TARGET_MG_DL:
        plotext.horizontal_line(bound)
    ticks = range(0, int(hours[-1]) + 1, max(1, round(hours[-1] / 6)))
    plotext.xticks(list(ticks), [f"{round(start.hour + start.minute / 60 + tick) % 24:02d}:00" for tick in ticks])
    plotext.yticks([40, *TARGET_MG_DL, 300])
    plotext.ylim(40, max(300, *(glucose for _, glucose in readings)))
    text = str(plotext.uncolorize(plotext.build()))
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines())
