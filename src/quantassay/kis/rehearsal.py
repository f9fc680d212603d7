"""The one account of the practice server that `assay sandbox` runs: no secret, and of no use anywhere else."""

APP_KEY = "PRACTICE-ONLY-NO-KEY-OF-ANY-BROKER-1"
APP_SECRET = "practice-only-no-secret-of-any-broker" * 4 + "practice-only-no-secret-of-any-b"
ACCOUNT = "50099999-01"
PORT = 18080
