"""The panel: a process of its own, a client of the door and a reader of the journal.

May import: controller.client, controller.history, controller.config, Flask.
"""
