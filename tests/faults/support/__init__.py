"""What every fault script starts with: databases, gateways, an external server, load, and a report that counts."""
