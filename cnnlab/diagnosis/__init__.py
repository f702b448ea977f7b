"""What ails a training: probes of its network, rules that name a fault with evidence, and a change that should help."""
