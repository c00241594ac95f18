"""Short experiments with a run's own plan, clips and seeds that tell causes of a finding apart. They judge nothing."""
