"""What the Python code says: the gate, the parsed module, and the facts that rules ask for."""
