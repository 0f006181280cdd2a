"""What would happen: leads, people and policy with the real planner, without a table and a clock.

Pure. `infra/cli/simulate.py` reads what there is and prints what comes of it.
"""
