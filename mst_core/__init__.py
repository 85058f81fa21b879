"""Music style transfer: from a request to a tune, its score and its audio.

>>> from mst_core.jobs import Job
>>> from mst_core.requests import Compose
>>> from mst_core.studio import Studio
>>> from mst_core.styles import default_models_dir
>>> studio = Studio.open(default_models_dir(), soundfont=None, device="cpu")
>>> request = Compose(pitch="jazz", rhythm="folk", seed=7, bars=4)
>>> tune = studio.run(Job(id="1", request=request, formats=("abc",)))
>>> tune.files["abc"].decode().startswith("X:1")
True

`docs/api.md` has more examples, `docs/architecture.md` the path of a request and a table "to change
X, go to Y". The core imports no Discord library and no database, and reads no environment variable
except in `mst_core.cli`.
"""

__version__ = "0.4.0"
