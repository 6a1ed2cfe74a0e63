import * as contracts from '#lib/contracts';
import type { EventContract, RequestContract } from '#lib/contracts';

/** What a service may do on the bus beside answering what it owns. */
export interface ServiceRights {
  /** First tokens of the subjects that are its own: it serves all of them, and its events are named by them. */
  owns: string[];
  /** What it serves under a subject that is not its own. */
  serves?: RequestContract[];
  calls: RequestContract[];
  /** Subjects that only the version before publishes to, which still runs beside this one while an upgrade goes on. */
  leaving?: string[];
  /** Events that it carries out, through its durable consumer of the stream. */
  reads: EventContract[];
  /** Hints that it publishes, to others or to its own replicas. */
  signals: string[];
  /** Hints of others, and events as they pass by: at most once, nothing kept. */
  subscribes: string[];
}

const { WAKE_RUNTIME, interruptSubject, liveSubject, recordedSubject, replayLive, workspaceUsedSubject, healthCheck } =
  contracts;

/** What a service that only reads and writes agents' files asks a workspace's daemon. */
const fileStreams = [
  contracts.openReadStream,
  contracts.readStream,
  contracts.openWriteStream,
  contracts.writeStream,
  contracts.finishWriteStream,
];

/**
 * Who does what on the bus: the source of every service's permissions. `service-rights.spec.ts` holds it to what the
 * services' sources do, so that nothing is missing here and nothing left over.
 * What a service no longer publishes to stays in `leaving` for one version: the version before may run on credentials
 * that were made by this one.
 */
export const serviceRights = {
  gateway: {
    owns: ['gateway'],
    calls: [
      healthCheck('*'),
      contracts.quotaUse('*'),
      contracts.listAudit('*'),
      ...[contracts.createAgent, contracts.getAgent, contracts.listAgents, contracts.updateAgent],
      ...[contracts.deleteAgent, contracts.pauseAgent, contracts.resumeAgent, contracts.stopAgent],
      ...[contracts.setAgentStatus, contracts.summarizeAgent, contracts.checkAgentReady, contracts.getAgentState],
      contracts.existingAgents,
      ...[contracts.listVersions, contracts.getVersion, contracts.diffVersions, contracts.rollBack],
      ...[contracts.draftVersion, contracts.pinConversation],
      ...[contracts.exportAgent, contracts.applyAgents],
      contracts.explainPermissions,
      ...[contracts.changeBalance, contracts.getNetworkLog, contracts.ensureWorkspace],
      ...[contracts.setAccountProviderKey, contracts.listAccountProviderKeys, contracts.deleteAccountProviderKey],
      ...[contracts.createVaultSecret, contracts.listVaultSecrets, contracts.getVaultSecret],
      ...[contracts.updateVaultSecret, contracts.deleteVaultSecret],
      ...[contracts.createVaultGrant, contracts.listVaultGrants, contracts.deleteVaultGrant],
      ...[contracts.updateVaultGrant, contracts.listVaultGrantsOfSecret],
      ...[contracts.sendMessage, contracts.getMessage, contracts.listMessages, contracts.markMessageRead],
      ...[contracts.listConversations, contracts.listAgentEvents, replayLive],
      ...[contracts.listRuns, contracts.getRun, contracts.cancelRun, contracts.getRunSteps, contracts.sumRuns],
      ...[contracts.listApprovals, contracts.getApproval, contracts.decideApproval, contracts.answerApproval],
      ...[contracts.getUsage, contracts.createBudget, contracts.listBudgets, contracts.getBudget],
      ...[contracts.updateBudget, contracts.deleteBudget],
      ...[contracts.listModels, contracts.resetSessions],
      ...[contracts.createMcpServer, contracts.getMcpServer, contracts.listMcpServers, contracts.updateMcpServer],
      ...[contracts.deleteMcpServer, contracts.refreshMcpTools, contracts.checkMcpHealth],
      ...[contracts.authorizeMcpServer, contracts.completeMcpAuthorization],
      ...[contracts.grantMcpAccess, contracts.listMcpAccess, contracts.revokeMcpAccess],
      ...[contracts.createSchedule, contracts.getSchedule, contracts.listSchedules, contracts.updateSchedule],
      ...[contracts.toggleSchedule, contracts.deleteSchedule, contracts.runSchedule, contracts.listScheduleExecutions],
      contracts.listNextRuns,
      ...[contracts.createTrigger, contracts.getTrigger, contracts.listTriggers, contracts.updateTrigger],
      ...[contracts.deleteTrigger, contracts.rotateTriggerSecret, contracts.fireTrigger, contracts.testTrigger],
      contracts.listTriggerExecutions,
      ...[contracts.createWebhookEndpoint, contracts.getWebhookEndpoint, contracts.listWebhookEndpoints],
      ...[contracts.updateWebhookEndpoint, contracts.deleteWebhookEndpoint, contracts.rotateWebhookSecret],
      ...[contracts.testWebhookEndpoint, contracts.replayWebhooks],
      ...[contracts.getWebhookDelivery, contracts.listWebhookDeliveries, contracts.retryWebhookDelivery],
      ...[contracts.listChannels, contracts.createLinkCode, contracts.getChannelStatus, contracts.updateBinding],
      ...[contracts.unlinkChannel, contracts.receiveChannelWebhook],
      ...[...fileStreams, contracts.closeStream],
      ...[contracts.pingWorkspace, contracts.readFile, contracts.writeFile, contracts.patchFile, contracts.deleteFile],
      ...[contracts.listDirectory, contracts.createDirectory, contracts.deleteDirectory],
      ...[contracts.getMetadata, contracts.updateMetadata, contracts.searchFiles],
      ...[contracts.copyFiles, contracts.moveFiles, contracts.deletePaths],
    ],
    reads: [],
    signals: ['gateway.keys.changed', 'gateway.access.changed'],
    subscribes: ['events.messaging.>', 'events.lifecycle.agent.deleted', recordedSubject('*'), liveSubject('*')],
  },
  messaging: {
    owns: ['messaging'],
    calls: [contracts.getAgent, contracts.getAgentState, contracts.quotaLimits, contracts.getVersion],
    reads: [
      ...[contracts.agentCreated, contracts.agentStatusChanged, contracts.agentDeleted],
      ...[contracts.budgetExhausted, contracts.budgetReset],
      ...[contracts.deliveryFailed, contracts.vaultGrantSettled],
    ],
    signals: [WAKE_RUNTIME, interruptSubject('*'), recordedSubject('*'), 'settled.messages'],
    subscribes: ['settled.messages'],
  },
  'agent-runtime': {
    owns: ['runtime'],
    serves: [replayLive],
    calls: [
      ...[contracts.claimTurn, contracts.heartbeatTurn, contracts.completeTurn, contracts.failTurn],
      ...[contracts.interruptedTurn, contracts.releaseTurn],
      ...[contracts.suspendTurn, contracts.startApproval, contracts.cancelApprovals],
      ...[contracts.postMessage, contracts.listMessages, contracts.recentTexts, contracts.listConversations],
      ...[contracts.getAgentForTurn, contracts.getAgentState, contracts.debitTokens, contracts.openAccountProviderKeys],
      ...[contracts.ensureWorkspace, contracts.listChannels, contracts.listBudgets, contracts.openVaultHeaders],
      ...[contracts.createSchedule, contracts.listSchedules, contracts.deleteSchedule],
      ...[contracts.pingWorkspace, contracts.execCommand, contracts.cancelExec],
      ...[contracts.readFile, contracts.writeFile, contracts.deletePaths],
      ...[contracts.listDirectory, contracts.searchFiles],
      contracts.quotaLimits,
      ...[contracts.startProcess, contracts.writeProcess, contracts.readProcess, contracts.stopProcess],
    ],
    reads: [contracts.accountRemoved, contracts.agentDeleted],
    signals: [liveSubject('*')],
    subscribes: [WAKE_RUNTIME, interruptSubject('*')],
  },
  'agent-lifecycle': {
    owns: ['lifecycle'],
    calls: [
      contracts.quotaLimits,
      ...[
        contracts.syncAgent,
        contracts.syncBudget,
        contracts.countMessages,
        contracts.countMcpServers,
        contracts.listAgentMcpServers,
      ],
      ...[contracts.checkModels, contracts.askForCredential],
      ...[contracts.applyAutomation, contracts.listSchedules, contracts.listTriggers],
      ...[contracts.applyWebhooks, contracts.listWebhookEndpoints],
      ...[contracts.pingWorkspace, contracts.getVolumeUsage, contracts.deleteFile, ...fileStreams],
    ],
    reads: [contracts.accountDeleted, contracts.approvalDecided],
    signals: [WAKE_RUNTIME, 'lifecycle.sandbox.changed'],
    subscribes: [workspaceUsedSubject('*')],
  },
  channels: {
    owns: ['channels'],
    calls: [
      ...[contracts.listAgentBots, contracts.getAgent, contracts.getAgentState, contracts.ensureWorkspace],
      ...[contracts.sendMessage, contracts.resetSessions, contracts.quotaLimits],
      ...[contracts.getApproval, contracts.decideApproval, contracts.answerApproval, contracts.approvalShown],
      ...[contracts.pingWorkspace, contracts.writeFile, contracts.patchFile, ...fileStreams, contracts.closeStream],
    ],
    reads: [
      ...[contracts.agentCreated, contracts.agentUpdated, contracts.agentDeleted],
      ...[contracts.approvalRequested, contracts.approvalDecided, contracts.approvalExpired],
      ...[contracts.messageCompleted, contracts.messageFailed, contracts.messagePosted, contracts.turnInterrupted],
    ],
    signals: ['channels.bots.changed', 'channels.deliver', 'channels.held.*.*'],
    subscribes: [liveSubject('*')],
  },
  scheduler: {
    owns: ['scheduler'],
    calls: [contracts.getAgentState, contracts.sendMessage, contracts.quotaLimits],
    reads: [
      ...[contracts.agentCreated, contracts.agentStatusChanged, contracts.agentDeleted, contracts.accountDeleted],
      ...[contracts.messageCompleted, contracts.messageFailed, contracts.turnInterrupted],
      ...[contracts.automationStarted, contracts.automationReturned],
    ],
    signals: [],
    subscribes: [],
  },
  'webhook-dispatch': {
    owns: ['webhooks'],
    calls: [contracts.getAgentWebhooks, contracts.quotaLimits],
    reads: [
      ...[contracts.agentCreated, contracts.agentUpdated, contracts.agentStatusChanged, contracts.agentDeleted],
      ...[contracts.agentErrored, contracts.agentKeyRefused, contracts.channelFailed, contracts.scheduleMissed],
      contracts.mcpAuthorizationNeeded,
      ...[contracts.budgetThreshold, contracts.budgetExhausted, contracts.budgetReset],
      contracts.accountDeleted,
      ...[contracts.messageCompleted, contracts.messageFailed],
      ...[contracts.approvalRequested, contracts.approvalDecided, contracts.approvalExpired],
      ...[contracts.vaultSecretChanged, contracts.vaultGrantChanged],
    ],
    signals: [],
    subscribes: [],
  },
} satisfies Record<string, ServiceRights>;

export type ServiceName = keyof typeof serviceRights;

/** What `npm run admin` asks the gateway for. */
export const adminCalls: RequestContract[] = [
  ...[
    contracts.createAccount,
    contracts.listAccounts,
    contracts.setAgentsEnabled,
    contracts.setOperator,
    contracts.deleteAccount,
  ],
  ...[contracts.createAccountKey, contracts.listAccountKeys, contracts.revokeAccountKey, contracts.linkIdentity],
  ...[contracts.getAccountQuotas, contracts.setAccountQuota, contracts.listAllAudit],
];
