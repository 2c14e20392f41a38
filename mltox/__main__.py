import sys

from mltox.cli import main

sys.exit(main())
