"""What is physically there, as data files; the wiring check and the wiring sheet.

May import: the core and the configuration.
"""
