"""`python -m tests.bench`: what benches there are; `python -m tests.bench NAME ...`: one of them."""

from __future__ import annotations

import os
import sys
from importlib import import_module

NAMES = (
    "stages",
    "agreement",
    "consensus",
    "annotators",
    "entities",
    "spans",
    "suspects",
    "replies",
    "splitting",
    "duplicates",
    "contamination",
    "updating",
    "reviewing",
    "stopping",
    "review_page",
    "label_studio",
    "soft_labels",
)


def main() -> None:
    """Run the bench that is asked for, or list them."""
    asked, arguments = sys.argv[1:2], sys.argv[2:]
    if not asked or asked[0] not in NAMES:
        print("usage: python -m tests.bench NAME, with NAME one of")
        for name in NAMES:
            print(f"  {name:11}{(import_module(f'tests.bench.{name}').__doc__ or '').splitlines()[0]}")
        raise SystemExit(bool(asked))
    if asked != ["stages"]:
        # Two threads are slower than one wherever anything else runs; must be said before numpy is there.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    import_module(f"tests.bench.{asked[0]}").main(arguments)


if __name__ == "__main__":
    main()
