package composer

import (
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	suggestionsv1beta1 "github.com/kubeflow/katib/pkg/apis/controller/suggestions/v1beta1"
	"github.com/kubeflow/katib/pkg/controller.v1beta1/consts"
)

// Secured gives every container of a suggestion the security context that Katib's configuration
// names for the first one. The configuration has none for the service that stops trials early, and
// Pod Security `restricted` refuses a Pod with one container that lacks it.
type Secured struct {
	General
}

// DesiredDeployment returns the Deployment of a suggestion.
func (s *Secured) DesiredDeployment(of *suggestionsv1beta1.Suggestion) (*appsv1.Deployment, error) {
	made, err := s.General.DesiredDeployment(of)
	if err != nil {
		return nil, err
	}
	containers := made.Spec.Template.Spec.Containers
	for i := range containers {
		if containers[i].SecurityContext == nil {
			containers[i].SecurityContext = containers[0].SecurityContext.DeepCopy()
		}
	}
	return made, nil
}

// CreateComposer returns the composer of a manager.
func (s *Secured) CreateComposer(mgr manager.Manager) Composer {
	return &Secured{General{mgr.GetScheme(), mgr.GetClient()}}
}

// After the one of composer.go, which Go initialises first: the order is that of the file names.
func init() {
	ComposerRegistry[consts.DefaultComposer] = &Secured{}
}
