"""``python -m mst_core.reading.sandbox MEBIBYTES SECONDS``: reads a request, writes a response.

``report`` as a third argument writes instead, as JSON, the protections that this machine lacks and
why. Stands alone because the limits must hold before the first other module is imported, and the
confinement before the first byte of a file is read.
"""

import os
import sys

from mst_core.reading.sandbox.rlimits import apply_rlimits

if __name__ == "__main__":
    apply_rlimits(memory_mib=int(sys.argv[1]), cpu_s=int(sys.argv[2]))
    # No thread can be started, and numpy's library ends the process when it fails to.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    # Imported before the confinement: a folder of its own Python may be closed to another user.
    from mst_core.reading.sandbox.confinement import confine
    from mst_core.reading.sandbox.worker import main

    missing = confine()
    if sys.argv[3:] == ["report"]:
        import json

        sys.stdout.write(json.dumps(missing))
    else:
        main()
