"""The hostile wire: a server that misbehaves by URL, each case with the outcome in which it must end; a proxy that breaks
connections; addresses that must not be reached; feeds out of shape. `python -m tests.wire_hostile` serves it by hand.
"""
