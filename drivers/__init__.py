"""One file per kind of part: talks to it, gives plain numbers, takes values.

May import: the core. Vendor libraries are imported inside `open_device()` only.
"""
