"""The commands of ``mst``, one module each, with a click command called ``command``.

To add a command, write its module and name it in `mst_core.__main__`. Import heavy libraries
(torch, music21, the synthesizer) inside the function, so that ``mst --help`` stays fast. Raise
MstError or an error of click; ``__main__`` turns it into one line and an exit status. What the
commands share: `options`, `files` (input and output), `batch` (make renditions), `output` (print)
and `errors`.
"""
