"""The only code that touches the spool (blueprint section 7).

Knows folders, claims, tasks and locks. Does not know rules, plugins or what is done with a task.
"""
