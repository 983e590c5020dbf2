"""Parquet with the record's field names as its columns. The one owner of pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, BinaryIO

from recommender.errors import RecordError, SourceError
from recommender.readers.entry import Entry
from recommender.readers.shown import entry_of

FIELDS = (
    "id", "title", "description", "text", "url", "image_url", "published_at", "modified_at", "language", "section", "tags", "authors",
    "kind", "read_more", "status",
)  # fmt: skip
_BATCH = 100
_MAX_BATCH_BYTES = 256 * 2**20
_MAX_VALUES = 10**6
_MAX_ITEMS = 400


def read_parquet(stream: BinaryIO, source: str) -> Iterator[Entry]:
    """Yield one entry a row, a hundred rows in memory at a time; ``line`` counts the rows. Other columns are not read.

    Raises:
        SourceError: the extra is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise SourceError("Parquet needs pyarrow: pip install 'newsroom-recommender[parquet]'") from None
    number = 0
    try:
        file = parquet.ParquetFile(stream, memory_map=False, pre_buffer=False)
        _check(file.metadata)
        # A text that stands in every row is kept once, as in the file, and not a hundred times.
        texts = [
            each.path for each in map(file.schema.column, range(len(file.schema))) if each.physical_type == "BYTE_ARRAY"
        ]
        file = parquet.ParquetFile(stream, memory_map=False, pre_buffer=False, read_dictionary=texts)
        columns = [name for name in file.schema_arrow.names if name in FIELDS]
        if "title" not in columns:
            raise RecordError(
                f"has no column 'title'; it has {', '.join(map(repr, file.schema_arrow.names[:20]))}"[:500]
            )
        n_rows = max(file.metadata.num_rows, 1)
        n_bytes = stream.seek(0, 2)
        for batch in file.iter_batches(batch_size=_BATCH, columns=columns, use_threads=False):
            if batch.nbytes > _MAX_BATCH_BYTES:
                raise RecordError(
                    f"rows {number + 1} to {number + batch.num_rows} have {batch.nbytes:,} bytes together"
                )
            for row in _rows(batch):
                number += 1
                record = {name: _plain(value) for name, value in row.items() if value is not None}
                yield entry_of(record, source, number, n_bytes * number // n_rows)
    except (pyarrow.ArrowException, RecordError, OSError, ValueError, OverflowError, MemoryError) as error:
        told = " ".join(str(error).split())[:300]
        after = f" after row {number:,}" if number else ""
        told = (
            told
            if isinstance(error, RecordError)
            else f"cannot be read{after}: {told or type(error).__name__}; is it Parquet, and whole?"
        )
        yield Entry(source, None, 0, reason=told)


def _check(metadata: Any) -> None:
    """Refuse a file whose lists alone would fill the memory."""
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        n_values = max((group.column(at).num_values for at in range(group.num_columns)), default=0)
        if n_values > _MAX_VALUES and n_values > _MAX_ITEMS * group.num_rows:
            raise RecordError(
                f"has lists of {n_values // max(group.num_rows, 1):,} items on average, at most {_MAX_ITEMS} are taken"
            )


def _rows(batch: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of a batch, one in memory at a time; instants to the microsecond, which is all that Python has."""
    import pyarrow

    columns = {}
    for field, column in zip(batch.schema, batch.columns, strict=True):
        is_fine = pyarrow.types.is_timestamp(field.type) and field.type.unit == "ns"
        columns[field.name] = column.cast(pyarrow.timestamp("us", field.type.tz), safe=False) if is_fine else column
    for at in range(batch.num_rows):
        yield {name: column[at].as_py() for name, column in columns.items()}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime | date) else value
