"""The verbs of ``mst``, one module each, with a click command called ``command``.

To add one: write its module and name it in `mst_core.__main__`. Import what is heavy (torch,
music21, the synthesizer) inside the function, so that ``mst --help`` stays instant; raise MstError
or click's own errors and let the door in ``__main__`` turn them into one line and a status.
"""
