"""The files beside the room file that a host needs: keys, passwords, certificates.

They are read at each use, so that a mended one is taken up; what is missing is named.
"""

from __future__ import annotations

from controller.core.parts import DeviceError

_BYTES = 65536


def read_file(key: str, path: str | None) -> str:
    """Return the text of the file that the room file names as `key`. Raises: DeviceError."""
    if path is None:
        raise DeviceError(f"{key}: not given")
    try:
        with open(path, "rb") as file:
            text = file.read(_BYTES + 1)
        if len(text) > _BYTES:
            raise DeviceError(f"{key}: {path}: longer than {_BYTES} bytes")
        return text.decode("utf-8")
    except OSError as error:
        raise DeviceError(f"{key}: {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DeviceError(f"{key}: {path}: not a text") from error
