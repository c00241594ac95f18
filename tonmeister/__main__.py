"""Lets `python -m tonmeister` be `tonmeister`; does nothing else."""

import sys

from tonmeister.cli.main import main

sys.exit(main())
