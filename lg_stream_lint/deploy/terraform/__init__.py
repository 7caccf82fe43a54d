"""Terraform: a light reader of HCL, the values of variables, and the resources that a stream crosses."""
