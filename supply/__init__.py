"""What the product is made of: a bill of materials, and under which licences its parts may be used."""
