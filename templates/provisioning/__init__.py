"""What mltox needs in a Google Cloud project: planned, made, removed. `mltox provision`.

`plan` says what is wanted, as plain data. One module a service makes it so and takes it away again;
`apply` goes through the plan. Pub/Sub and BigQuery are asked through their clients, which Beam
brings; for the others one small REST client over google-auth stands in for seven more packages.
"""
