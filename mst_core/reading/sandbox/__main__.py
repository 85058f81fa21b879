"""``python -m mst_core.reading.sandbox MEBIBYTES SECONDS``: reads one order, writes one answer."""

import sys

from mst_core.reading.sandbox.rlimits import close_in

if __name__ == "__main__":
    close_in(memory_mib=int(sys.argv[1]), cpu_s=int(sys.argv[2]))
    from mst_core.reading.sandbox.worker import main

    main()
