"""The room's written safety rules, one file each, naming the regulation it keeps (REG-..).

May import: the core.
"""
