import { useNavigate } from '@tanstack/react-router';
import { newConversationId } from '../chat/begun-conversation.js';
import { Button } from '../components/button.js';

/** Begins a conversation of its own, so that what is tried stays out of the others. */
export function TryInChat({ agentId, version }: { agentId: string; version: number }) {
  const navigate = useNavigate();
  const begin = () =>
    void navigate({
      to: '/agents/$agentId/chat',
      params: { agentId },
      search: { conversation: newConversationId(), version },
    });
  return (
    <Button icon="message-square" onClick={begin}>
      Try it in chat
    </Button>
  );
}
