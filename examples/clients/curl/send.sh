# Send a message, have the phone answer it, and read in the log what became of both.
set -e
number=${1:-+15551234567} phone=${2:-+15550001111}
api() {
  curl --silent --show-error --fail --user "$SIGNALWIRE_PROJECT_ID:$SIGNALWIRE_API_TOKEN" \
    --header 'Content-Type: application/json' "$@"
}
inbox="$SIGNALWIRE_SPACE_URL/simulator/phones/$phone/messages"
sent=$(api "$SIGNALWIRE_SPACE_URL/api/messaging/messages" \
  --data "{\"from\": \"$number\", \"to\": \"$phone\", \"body\": \"Hello from curl\"}")
api "$inbox?wait=10&contains=curl" --output /dev/null
answered=$(api "$inbox" --data "{\"to\": \"$number\", \"body\": \"Hello back\"}")
for message in "$sent" "$answered"; do
  id=$(echo "$message" | cut -d '"' -f 4)
  echo "$id: $(api "$SIGNALWIRE_SPACE_URL/api/messaging/logs/$id" | grep -o '"status":"[a-z]*"')"
done
