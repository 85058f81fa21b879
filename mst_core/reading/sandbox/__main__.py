"""``python -m mst_core.reading.sandbox MEBIBYTES SECONDS``: reads a request, writes a response.

Stands alone because the limits must hold before the first other module is imported.
"""

import sys

from mst_core.reading.sandbox.rlimits import apply_rlimits

if __name__ == "__main__":
    apply_rlimits(memory_mib=int(sys.argv[1]), cpu_s=int(sys.argv[2]))
    from mst_core.reading.sandbox.worker import main

    main()
