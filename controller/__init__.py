"""The controller: a pure core, and the shell that gives it senses, hands and a record.

The shell may import the core, the configuration, paho and sqlite-utils; the core imports
only the standard library and msgspec.
"""
