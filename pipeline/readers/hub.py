"""Hub data sets: streamed through `datasets`, code of the data set never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.errors import AssayError
from pipeline.readers.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.fetch import RawFile
    from pipeline.readers.record import Broken, ReadOptions


def read_hub(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    """The rows of one split of `owner/name[:config]`, at `name:split:row N`; class numbers become their names.

    Raises AssayError where the hub or the data set cannot be reached.
    """
    split = options.hub_split or "train"
    rows = _stream(raw.name, split)
    numbered = _class_names(getattr(rows, "features", None) or {})
    number = 0
    try:
        for number, row in enumerate(rows, 1):
            yield Record(
                f"{raw.name}:{split}:row {number}",
                {key: _named(value, numbered.get(key)) for key, value in row.items()},
            )
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreachable(f"{raw.name}:{split}:row {number + 1}", error) from error


def hub_revision(name: str) -> str:
    """The commit at which `owner/name[:config]` stands now; raises AssayError where the hub does not say."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        return str(HfApi().dataset_info(name.partition(":")[0]).sha)
    except (HfHubHTTPError, HFValidationError, OSError, ValueError, RuntimeError) as error:
        raise _unreachable(name, error) from error


def _stream(name: str, split: str) -> Any:
    from datasets import load_dataset

    path, _, config = name.partition(":")
    try:
        return load_dataset(path, config or None, split=split, streaming=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreachable(f"{name}:{split}", error) from error


def _unreachable(place: str, error: Exception) -> AssayError:
    first = (str(error) or type(error).__name__).splitlines()[0]
    return AssayError(
        place,
        f"the hub gives no rows ({first})",
        "without a network, put the files into a folder and name them in 'files'",
    )


def _class_names(features: Any) -> dict[str, list[str]]:
    """The names of every column, or of the items of every list column, that holds class numbers."""
    items = {key: getattr(feature, "feature", feature) for key, feature in features.items()}
    return {key: list(feature.names) for key, feature in items.items() if hasattr(feature, "names")}


def _named(value: Any, names: list[str] | None) -> Any:
    if names is None or value is None:
        return value
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else value
