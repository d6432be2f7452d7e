"""The room file: strict reading, all faults at once. May import: the core.

The `Config` types of the kinds of parts are handed in by whoever reads a file.
"""
