"""What an administrator sees of the spool and does to it, while others work on it.

Knows every place of the spool. Does not know commands or how anything is shown.
"""
