"""Newsmill on one machine: the sample wire, Airflow and a first batch with one command. `python -m embedded`, or `make run`."""
