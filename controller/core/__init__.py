"""The pure core: readings, alarms, priority arrays, rules, scan. No I/O, no clock, no thread.

May import: the standard library and msgspec, nothing else of this project.
"""
