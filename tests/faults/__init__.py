"""Proof that nothing is lost, doubled, partial or early, whatever is killed, fails or stops: `make faults`."""
