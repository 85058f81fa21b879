"""``python -m tests.tools.real_files FOLDER``: the table of all files of a folder."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.tools.real_files.table import ALIKE, SUFFIXES, examine, table


def main() -> int:
    """Read the folder and print the table."""
    parser = argparse.ArgumentParser(prog="real_files", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path, help="write one JSON line a file")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    paths = sorted(p for p in options.folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    with ProcessPoolExecutor(options.processes) as pool:
        rows = list(pool.map(examine, paths))
    if options.json:
        options.json.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for row in rows:
        name = Path(row["file"]).relative_to(options.folder)
        if "refused" in row:
            sys.stdout.write(f"refused  {name}: {row['refused']}\n")
        elif any(row.get(key) is not None and row[key] < ALIKE for key in ("notes", "melody")):
            sys.stdout.write(
                f"differs  {name}: notes {row.get('notes')}, melody {row.get('melody')}\n"
            )
    sys.stdout.write("".join(f"{line}\n" for line in table(rows, options.folder)))
    remarks = Counter(remark for row in rows for remark in row.get("remarks", ()))
    sys.stdout.write(f"{sum(remarks.values())} remarks over {len(rows)} files\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
