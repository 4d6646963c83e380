"""`make bench`: measure every figure of the contract that can be measured, in one run."""

import pipelining
import replaying
import sanitizing
from measure import show

if __name__ == "__main__":
    show([replaying.loading, sanitizing.contest, pipelining.contest, replaying.contest])
