-- The posts that show what happened in an anomalous hour, most telling first (rank 1).
WITH wanted AS (
  SELECT
    anomalies.topic,
    anomalies.hour,
    anomalies.metric,
    post_id,
    ROW_NUMBER() OVER (
      PARTITION BY anomalies.topic, anomalies.hour, anomalies.metric ORDER BY position
    ) AS rank
  FROM `{dataset}.anomaly_details` AS anomalies
  CROSS JOIN UNNEST(anomalies.example_post_ids) AS post_id WITH OFFSET AS position
)
SELECT
  wanted.topic,
  wanted.hour,
  wanted.metric,
  wanted.rank,
  wanted.post_id,
  posts.text,
  posts.toxicity,
  posts.source,
  posts.created_at
FROM wanted
JOIN `{dataset}.latest_scored_posts` AS posts
  ON posts.topic = wanted.topic AND posts.post_id = wanted.post_id
