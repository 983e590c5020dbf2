"""The HTTP contract as plain data: what may be asked, what is answered, and the OpenAPI document that is made from both."""
