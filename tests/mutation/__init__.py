"""Changes of policy, made one by one: does a test notice?"""
