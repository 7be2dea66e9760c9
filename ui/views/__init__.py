"""The rooms of the UI, one module each; `show(client)` draws one."""
