"""Cases of form clients: what one of them sends to a form, and the lead that must come of it.

`make cases FORM_CASES=folder` sends every case of a folder to the real endpoint on the local stack;
the tests do the same with tests/cases. The format stands in docs/form-clients.md.
"""
