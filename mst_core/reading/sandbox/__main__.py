"""``python -m mst_core.reading.sandbox MEBIBYTES SECONDS``: one order in, one answer out, then the end."""

import sys

from mst_core.reading.sandbox.rlimits import close_in

if __name__ == "__main__":
    close_in(memory_mib=int(sys.argv[1]), cpu_s=int(sys.argv[2]))
    from mst_core.reading.sandbox.worker import main

    main()
