"""tenfold-train: fits one model, for the operator's Jobs; its answer is what it prints.

It reads a lesson from a folder and needs nothing else: no network, no API, no place to write to.
"""

import sys
from pathlib import Path

from tenfold_operator.forecast.trainer import train
from tenfold_operator.forecast.transfer import lesson_in, lines_of


def main() -> None:
    """Fit to the lesson in the folder that is named, and print the model."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: tenfold-train FOLDER, the folder with a lesson's files")
    record, archive = train(lesson_in(Path(sys.argv[1])))
    for line in lines_of(record, archive):
        print(line)


if __name__ == "__main__":
    main()
