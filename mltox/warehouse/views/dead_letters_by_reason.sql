-- Dead letters counted by stage and reason, with one of them as an example.
WITH letters AS (
  SELECT letter_id, stage, error_type, message, payload, seen_at
  FROM `{dataset}.dead_letters`
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY letter_id ORDER BY seen_at) = 1
),
reasons AS (
  SELECT
    stage,
    error_type,
    COUNT(*) AS letters,
    MIN(seen_at) AS first_seen,
    MAX(seen_at) AS last_seen,
    MIN(letter_id) AS example_id
  FROM letters
  GROUP BY stage, error_type
)
SELECT
  reasons.stage,
  reasons.error_type,
  reasons.letters,
  reasons.first_seen,
  reasons.last_seen,
  letters.message AS example_message,
  letters.payload AS example_payload
FROM reasons
JOIN letters ON letters.letter_id = reasons.example_id
