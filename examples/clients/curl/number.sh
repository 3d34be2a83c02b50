# A number of yours, and its messages for the clients that receive a context.
set -e
number=${1:-+15551234567} context=${2:-office}
api() {
  curl --silent --show-error --fail --user "$SIGNALWIRE_PROJECT_ID:$SIGNALWIRE_API_TOKEN" \
    --header 'Content-Type: application/json' "$@"
}
numbers="$SIGNALWIRE_SPACE_URL/api/relay/rest/phone_numbers"
mine=$(api "$numbers" --data "{\"number\": \"$number\"}")
id=$(echo "$mine" | cut -d '"' -f 4)
api --request PUT "$numbers/$id" --output /dev/null \
  --data "{\"message_handler\": \"relay_context\", \"message_relay_context\": \"$context\"}"
echo "$number: $context"
